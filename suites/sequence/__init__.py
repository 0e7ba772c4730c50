"""Suite sequence: what is still known of a signal some time after it has gone."""
