"""The way to a chat model: one HTTP exchange, what an endpoint honours, how fast it may be asked, who is
asked.
"""
