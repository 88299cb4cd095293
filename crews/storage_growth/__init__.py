"""The job that finds volumes that will be full, and what `crew storage check` previews."""
