"""QTI's processing language: response processing, template processing, their expressions and rules."""
