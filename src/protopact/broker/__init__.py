"""A Kafka-protocol broker inside a process or as one: for tests, development and the demo, on one machine.

The way of a request: connection (frames) → codec (kio's messages ⇄ ours) → apis (one table) → a handler → topics,
log and groups. Record batches stay as the client made them; only their place in the partition is written in.
"""
