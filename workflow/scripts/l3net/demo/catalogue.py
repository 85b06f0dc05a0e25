"""Every thing of the demo's world by its name, and those that videos show."""

from l3net.demo.music_things import MUSIC_THINGS
from l3net.demo.other_sounds import OTHER_SOUNDS
from l3net.demo.street_things import STREET_THINGS

THINGS = {thing.name: thing for thing in (*MUSIC_THINGS, *STREET_THINGS, *OTHER_SOUNDS)}
SHOWN_THINGS = (*MUSIC_THINGS, *STREET_THINGS)
