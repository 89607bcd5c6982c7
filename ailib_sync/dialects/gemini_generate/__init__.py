"""Google's generateContent: the Gemini API and Vertex AI.

Internal: import public names from `ailib_sync`.
"""
