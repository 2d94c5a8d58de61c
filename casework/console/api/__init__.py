"""The console's API: what its pages do, for programs, in JSON."""
