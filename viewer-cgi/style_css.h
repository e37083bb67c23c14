/*
 * style_css.h - style.css as the program carries it.
 */
#pragma once

/* The style sheet; style_css.c is made from style.css. */
extern const char style_css[];
