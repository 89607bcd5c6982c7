"""Streams whose frames differ only in a few values, read without parsing each frame.

Internal: import public names from `ailib_sync`.

In a fast stream most frames are equal byte for byte, except for the text and a few values that nobody reads. The first such
frames take the plain path (framing, JSON, dialect). A frame that the plain path reads as one delta (of text, of thinking, or
of a tool call's arguments) and nothing else makes a template (`templates.py`). A later frame with the same bytes around its
values is the same JSON with another text, so its event is known and the plain path need not see it (`feed.py`). Every other
frame takes the plain path, and so does the next delta after it, before the template is used again.

The plain path is the definition: on any stream, cut anywhere, both paths yield the same events and errors, after the same
number of chunks. The one switch is `FAST_PATH` in `pipeline/decode.py`. What makes this safe is a contract:

1. No stage between the feed and the events reads ahead. When the plain path yields the event of a frame, it has not asked for
   the next one; otherwise an event could not be assigned to its frame.
2. The reader of a dialect is idempotent over deltas of text and thinking: what it does with the rest of the stream does not
   depend on how many of them it has seen after the first one. It sees the arguments of tool calls, which it accumulates, again
   in a few catch-up frames.
3. `Streaming.delta_of` is None for each frame whose events depend on the state that such deltas leave in the reader (tags in
   the text, a usage count that is repeated).
4. Equality of events decides: a template is made only if an event built from the text alone equals the one of the plain path.
5. The size limit (`max_event`) counts the same on both paths: what may exceed it takes the plain path, which counts.
6. The byte order mark is removed and line ends become LF before the feed, once (`sse.normalize`).

`tests/test_fastpath.py` has a test for each of these rules, under its number.
"""
