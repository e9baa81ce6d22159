"""What every page uses: the visit, navigation, templates, assets, problems."""
