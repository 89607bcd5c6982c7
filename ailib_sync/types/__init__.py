"""Values of the public interface: messages, tools, requests, responses, events.

Internal: import public names from `ailib_sync`.
"""
