"""How good translators are: scores of many cases, with what is needed to believe them."""
