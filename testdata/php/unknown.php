<?php
http_response_code(404);
header_remove('Content-Type');
echo "nothing here";
