"""Pictures of stores: networks, maps, reports. They need matplotlib (the extra ``viz``) and touch no global state."""
