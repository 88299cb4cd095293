"""The one home of every number that a person, a report, a page or a program sees: what it means, and how it is got."""
