"""A small shop over HTTP: shipping quotes, a customer's orders, how loyal buyers are.  Correct, but slow."""
