"""Everything around ParkShare that the tests and the demo need, made of real processes and simulated things.

Real: the broker (Mosquitto), Home Assistant, the backend. Simulated: the ground lock with its camera, cars, phones.
Nothing here imports Home Assistant or the integration: the simulators see the system from outside, as its users do.
"""
