"""Quality assurance: what is looked at again, and what may be concluded from it. Pure."""
