"""Recordings whose expected values we differ from on purpose: id (or its beginning) → {field: why}.

A field is the first word of a line of `recordings.mismatches`. An entry that no longer mismatches fails the test.
"""

KNOWN: dict[str, dict[str, str]] = {
    "google-vertex.gemini.n.36c59beded9d": {
        "text": "a refused prompt: its blockReasonMessage is our `refusal`, which is compared as text; the content is empty",
    },
}
