"""What the service keeps: resources, the notation of their fields, and the World they make. Pure, as `model` is."""
