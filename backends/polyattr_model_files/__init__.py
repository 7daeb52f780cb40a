"""Which files of each framework hold models, told without importing one.

Each framework has a module with its `FILES`; `load` imports the framework. They stand apart from
the backends, whose packages import their frameworks.
"""
