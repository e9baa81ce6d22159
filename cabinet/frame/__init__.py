"""What every page stands on: the visit, navigation, templates, assets, problems."""
