"""How the pages of docs/ become a site: navigation, reference, links, and what is generated."""
