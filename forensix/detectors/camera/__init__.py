"""Methods that ask which camera took a picture, and whether all of it went through one."""
