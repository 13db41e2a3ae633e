"""Other objectives than net present value: measures of a plan, weighed (model, section 7b)."""
