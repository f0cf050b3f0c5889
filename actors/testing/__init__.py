"""The test harness, and what makes it a plugin of pytest.

Users import it from `choreia.testing`. pytest loads `plugin` in every run of everybody who has
Choreia installed, so that module, and this one, import nothing.
"""
