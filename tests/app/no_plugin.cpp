// A shared library without an application.
extern "C" int atlas_test_nothing() { return 0; }
