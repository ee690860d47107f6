"""Reading: rows in whatever form they come become Problems and Rollouts; benchmarks and versions, questions."""
