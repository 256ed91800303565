"""The standard atmosphere as a closed form, beside what the program takes it from."""


def thin(amsl_m):
    """True by equivalent airspeed in the standard atmosphere below 11 km (ICAO Doc 7488); circles widen by its square.

    Heights in metres, also as an array.
    """
    return (1.0 - 0.0065 * amsl_m / 288.15) ** (-0.5 * (9.80665 / (287.05287 * 0.0065) - 1.0))
