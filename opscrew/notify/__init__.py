"""What people are told: which event goes to which channel, when, and in which words. Sending is not its business."""
