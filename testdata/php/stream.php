<?php
// Ends only when the client has seen the beginning: it says so by a file.
header('Content-Type: text/event-stream');
header('X-Accel-Buffering: no');
while (ob_get_level()) ob_end_flush();
echo "data: first\n\n";
flush();
for ($i = 0; $i < 500 && !file_exists($_GET['until']); $i++) {
    usleep(10000);
    clearstatcache();
}
echo "data: last\n\n";
