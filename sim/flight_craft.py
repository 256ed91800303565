"""Which body and which course go with a form of airframe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sim.dialect_terms import Form
from sim.flight_body import Body
from sim.flight_course import Course
from sim.flight_items import Item
from sim.flight_mission import MissionRun
from sim.flight_orders import limits_from
from sim.flight_state import Event, Setup
from sim.flight_wind import WindField
from sim.vtol_course import VtolCourse
from sim.wing_body import WingBody
from sim.wing_course import WingCourse

__all__ = ["craft"]

_BODIES: Mapping[Form, type[Body]] = {Form.ROTOR: Body, Form.WING: WingBody, Form.VTOL: WingBody}
_COURSES: Mapping[Form, type[Course]] = {Form.ROTOR: Course, Form.WING: WingCourse, Form.VTOL: VtolCourse}


def craft(
    setup: Setup,
    figures: Mapping[str, float],
    run: MissionRun,
    wind: WindField,
    *,
    do: Callable[[Item], object],
    tell: Callable[[Event], None],
) -> tuple[Body, Course]:
    """Body and course of a vehicle; parameters as for `Course`."""
    form = setup.dialect.form
    limits = limits_from(figures)
    body = _BODIES[form](limits.accel, limits.climb_accel)
    body.amsl_m = setup.home_amsl_m
    course = _COURSES[form](setup, figures, body, run, do=do, tell=tell)
    course.fly_in(wind)
    return body, course
