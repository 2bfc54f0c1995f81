"""Measuring and fitting the comment discriminator; never imported by the product."""
