"""Policy as data: bundles of rules in SQL, linted, evaluated in batches with three-valued logic."""
