"""Why a flow passes or not: the verdict told to people, with what was found inside the guests at its ends."""
