"""Checks of standards: Pod Security Standards and hardening rules, with their evidence."""
