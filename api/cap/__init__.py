"""Common Alerting Protocol 1.2: alerts of what a person has confirmed, and their cancellation."""
