"""The append-only history: entries chained per case, sealed in a Merkle tree, signed."""
