// A page of the tests.

import "./e2e.js";
