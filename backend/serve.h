/* SPDX-License-Identifier: MIT
 *
 * `reqpm serve`: wires the parts in the order of the flow and ends them in the reverse one.
 */
#ifndef REQPM_SERVE_H
#define REQPM_SERVE_H

int serve_main(int argc, char **argv);

#endif
