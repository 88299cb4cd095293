"""What `crew doctor` looks at: this machine, and every connection that is configured."""
