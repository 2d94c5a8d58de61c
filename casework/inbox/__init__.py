"""What other systems post to us: who may post, how a post is read, and what it asks for."""
