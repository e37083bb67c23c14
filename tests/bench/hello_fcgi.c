/*
 * hello_fcgi - the least that a FastCGI program can do: hello_fcgi < LISTENING-SOCKET.
 *
 * Answers every request with a short page, one at a time. What zegel-viewer does beside
 * this is its own cost.
 */
#include <fcgiapp.h>
#include <stdlib.h>

int
main(void)
{
  FCGX_Request request;
  if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
    return EXIT_FAILURE;
  while (FCGX_Accept_r(&request) == 0) {
    FCGX_FPrintF(request.out, "Content-Type: text/html; charset=utf-8\r\n\r\n"
                              "<!doctype html><title>Hello</title><p>Hello\n");
    FCGX_Finish_r(&request);
  }
  return EXIT_SUCCESS;
}
