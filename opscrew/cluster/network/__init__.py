"""Checks of Services, Ingresses and admission webhooks."""
