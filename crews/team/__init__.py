"""The only home of crewai and litellm: roles, local model, toolbox and run budget."""
