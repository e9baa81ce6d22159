"""Pages of administrators: types of case, programmes, reasons, calendars."""
