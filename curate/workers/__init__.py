"""Workers: a build's shards and requests as tasks of an engine, in processes and on machines of their own."""
