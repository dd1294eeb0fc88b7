"""What clients ask and what they are answered, whatever the version of the request: plain declared classes.

The names are those of Kafka's protocol in Python's spelling. A request of a version that lacks a field has its default
here; an answer's field that a version lacks is left out when it is written (`protopact.broker.codec`).
"""
