"""One module for each page of the reference; each has ``page()``, which reads the code and gives the page as Markdown."""
