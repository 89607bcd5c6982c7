"""The server's side of Gemini's generateContent.

Internal: import public names from `ailib_sync`.
"""
