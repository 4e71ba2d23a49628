"""The process around the conversations: routes, admission, status, logs, metrics."""
