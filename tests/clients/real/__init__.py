"""What gitchat does in real clients: their programs, as their vendors publish them, and a stand-in for their models."""
