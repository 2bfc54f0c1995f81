"""A small shop over HTTP: shipping quotes, a customer's orders, related products.  Correct, but slow."""
