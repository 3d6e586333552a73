<?php
http_response_code(500);
header('Content-Type: text/plain');
error_log("a complaint");
echo "failed";
