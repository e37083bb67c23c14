/*
 * doctor_parts.h - the checks of doctor_own_checks and doctor_viewer_checks, by the file
 * that has them. For those tables, and for one another.
 */
#pragma once

#include "zegelctl/doctor.h"

/* The function of a check. */
typedef void
DoctorFunc(const DoctorSubject *subject, DoctorReport *report);

/* ---- doctor_daemon.c ---- */
DoctorFunc doctor_check_running;
DoctorFunc doctor_check_current;

/* ---- doctor_key.c ---- */
DoctorFunc doctor_check_key_there;
DoctorFunc doctor_check_key_rights;
DoctorFunc doctor_check_key_web;
DoctorFunc doctor_check_key_copies;
DoctorFunc doctor_check_key_store;

/* ---- doctor_state.c ---- */
DoctorFunc doctor_check_rights;
DoctorFunc doctor_check_private;
DoctorFunc doctor_check_routes;
DoctorFunc doctor_check_disk;

/* ---- doctor_trail.c ---- */
DoctorFunc doctor_check_chain;
DoctorFunc doctor_check_waiting;

/* ---- doctor_clock.c ---- */
DoctorFunc doctor_check_clock;
DoctorFunc doctor_check_clock_kept;

/* ---- doctor_nta.c ---- */
DoctorFunc doctor_check_nta_ends;

/* ---- doctor_viewer.c ---- */

/* Whether the pages of an organisation are there, whoever runs the viewer. */
gboolean
doctor_viewer_answers(const DoctorSubject *subject, DoctorReport *report);

/* ---- doctor_sms.c ---- */
DoctorFunc doctor_check_sms_command;
DoctorFunc doctor_check_sms_silent;

/* ---- doctor_log.c ---- */
DoctorFunc doctor_check_link_log;
