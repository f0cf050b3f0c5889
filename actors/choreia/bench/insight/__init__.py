"""What it costs deliveries that cases are counted and the last events remembered.

loads     what is delivered
command   ``choreia bench insight``
"""
