"""What every job is started with: context, systems, schedule, registry, and how a run is recorded."""
