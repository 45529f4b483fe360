"""Web: blocks turned into HTML from values handed in."""
